"""The encoder against transformers' BertModel, and its own promises."""

import pytest
import torch

from models.build import build_model
from models.minilm import minilm_folder, pretrained_minilm
from models.text_encoder import TextEncoder, TextEncoderConfig, mean_pool

TINY = {"num_classes": 3, "vocab_size": 50, "layers": 2, "width": 16, "heads": 4,
        "feed_forward": 32, "max_positions": 16, "dropout": 0.0}  # fmt: skip


def batch_of_ids(vocab_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1, vocab_size, (3, 12), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    mask[2, 3:] = 0
    return ids * mask, mask


def test_pretrained_weights_give_the_vectors_of_transformers_bert() -> None:
    transformers = pytest.importorskip("transformers")
    bert = transformers.BertModel.from_pretrained(str(minilm_folder())).eval()
    ours = pretrained_minilm(TextEncoderConfig(num_classes=3)).eval()
    ids, mask = batch_of_ids(30522)
    with torch.no_grad():
        theirs = bert(input_ids=ids, attention_mask=mask).last_hidden_state
        mine = ours.encode(ids, mask)
    assert torch.allclose(mine[mask.bool()], theirs[mask.bool()], atol=2e-5)


def test_first_layers_and_a_kept_vocabulary_give_the_same_vectors() -> None:
    kept = torch.arange(0, 30522, 3)
    small = pretrained_minilm(TextEncoderConfig(num_classes=3, layers=1), kept).eval()
    whole = pretrained_minilm(TextEncoderConfig(num_classes=3, layers=1)).eval()
    ids, mask = batch_of_ids(len(kept))
    with torch.no_grad():
        assert torch.equal(small.encode(ids, mask), whole.encode(kept[ids], mask))
    assert small.config.vocab_size == len(kept)


def test_fewer_neurons_are_the_heaviest_ones_of_the_whole() -> None:
    shape = {"num_classes": 3, "layers": 1}
    whole = pretrained_minilm(TextEncoderConfig(**shape)).eval()
    narrow = pretrained_minilm(TextEncoderConfig(**shape, feed_forward=512)).eval()
    layer = whole.layers[0]
    weights = layer.expand.weight.norm(dim=1) * layer.contract.weight.norm(dim=0)
    ids, mask = batch_of_ids(30522)
    with torch.no_grad():
        layer.contract.weight[:, weights < weights.topk(512).values[-1]] = 0.0
        assert torch.allclose(narrow.encode(ids, mask), whole.encode(ids, mask), atol=1e-5)


def test_padding_does_not_change_logits() -> None:
    torch.manual_seed(0)
    model = build_model("text_encoder", TINY).eval()
    ids, mask = batch_of_ids(50)
    with torch.no_grad():
        together = model(input_ids=ids, attention_mask=mask)
        alone = model(input_ids=ids[2:, :3], attention_mask=mask[2:, :3])
    assert torch.allclose(together[2:], alone, atol=1e-6)


def test_the_same_seed_gives_the_same_weights() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(7)
        states.append(build_model("text_encoder", TINY).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_mean_pool_ignores_padding() -> None:
    hidden = torch.tensor([[[1.0], [3.0], [100.0]]])
    assert mean_pool(hidden, torch.tensor([[1, 1, 0]])).item() == 2.0


def test_width_must_be_a_multiple_of_heads() -> None:
    with pytest.raises(ValueError, match="width 10 must be a multiple of heads 3"):
        TextEncoder(TextEncoderConfig(num_classes=2, width=10, heads=3))
