"""A vocabulary of word pieces that is learned from the training rows, of whatever language."""

from collections.abc import Sequence

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from tasks.packaging.predictor.language import SPECIALS as OWN_IDS

UNKNOWN = "[UNK]"
SPECIALS = ["[PAD]", UNKNOWN, "[CLS]", "[SEP]"]
MOST_CHARACTERS = 1000


def learned_vocabulary(texts: Sequence[str], most: int) -> tuple[str, int]:
    """A tokenizer of at most so many word pieces, learned from `texts`, and how many it has.

    Byte pair encoding (arXiv:1508.07909) over characters, in lower case without accents. The same
    texts give the same pieces, which the WordPiece trainer does not promise: it numbers them in the
    order of a hash table that changes from call to call.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Metaspace()]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=most,
        special_tokens=SPECIALS,
        min_frequency=2,
        limit_alphabet=MOST_CHARACTERS,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=ends
    )
    return tokenizer.to_str(), tokenizer.get_vocab_size()


def byte_vocabulary(texts: Sequence[str], most: int) -> tuple[str, int]:
    """A tokenizer of byte pairs, learned from `texts`, and the size of a model's vocabulary.

    Over bytes (Radford et al. 2019, section 2.2): nothing is unknown and nothing is changed. At
    most `most` ids, those that the encoder puts before the tokenizer's included.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=most - OWN_IDS,
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer.to_str(), tokenizer.get_vocab_size() + OWN_IDS
