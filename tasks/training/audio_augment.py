"""Training sounds, varied at random: noise laid on, moved in time, stretches of time and bands of
pitch blanked (SpecAugment, Park et al. 2019, arXiv:1904.08779).

Shapes: B batch, T frames, M bands of pitch. Loudness is in bels from the mean of all training
sounds, so 0 is that mean. What is drawn is drawn on the CPU, so that every device trains alike.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from tasks.training.audio_architectures import AudioAugmentConfig
from tasks.training.examples import Batch

QUIETER_DB = 20.0
"""How much fainter than the loudest that is asked for the noise may be."""
GRAINS = 2
"""Frequencies that a band of pitch is the mean of, roughly: the fewer, the rougher the noise. The
power of each is exponential, so that of the band is the gamma distribution that took thrice as
long to draw from."""
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class AudioAugment:
    """A batch of sounds to one like it; padding stays as it is."""

    config: AudioAugmentConfig
    num_outputs: int

    def __call__(self, batch: Batch, random: Random) -> Batch:
        """The batch with its sounds varied."""
        config, mels, mask = self.config, batch.inputs["mels"], batch.inputs["mask"]
        if config.shift:
            mels = moved(mels, mask, config.shift, random)
        if config.noise:
            mels = noisy(mels, mask, config, random)
        for _ in range(config.masks):
            mels = without_time(mels, mask, config.time_mask, random)
            mels = without_pitch(mels, config.pitch_mask, random)
        return replace(batch, inputs={**batch.inputs, "mels": mels * mask.unsqueeze(-1)})


def moved(mels_BTM: Tensor, mask_BT: Tensor, share: float, random: Random) -> Tensor:
    """Later or earlier by whole frames, at most `share` of a sound; what comes in is the quietest
    that each band of the sound is."""
    length_B1 = mask_BT.sum(1, keepdim=True).long()
    draw = random.uniform(-share, share, (len(mels_BTM), 1))
    draw_B1 = torch.from_numpy(draw).to(mels_BTM.device)
    frame_BT = torch.arange(mels_BTM.shape[1], device=mels_BTM.device)[None]
    source_BT = frame_BT - (draw_B1 * length_B1).round().long()
    is_there_BT = (source_BT >= 0) & (source_BT < length_B1)
    index_BTM = source_BT.clamp(0, mels_BTM.shape[1] - 1).unsqueeze(-1).expand_as(mels_BTM)
    here_BT1 = mask_BT.unsqueeze(-1).bool()
    quiet_B1M = mels_BTM.masked_fill(~here_BT1, torch.inf).amin(1, keepdim=True)
    return torch.where(is_there_BT.unsqueeze(-1), mels_BTM.gather(1, index_BTM), quiet_B1M)


def noisy(mels_BTM: Tensor, mask_BT: Tensor, config: AudioAugmentConfig, random: Random) -> Tensor:
    """White noise on the share `noise` of the sounds, `snr_db` below their mean power or fainter.

    Powers add up, and white noise is as loud in every band, as bands are means.
    """
    count, frames, bands = mels_BTM.shape
    below_B = config.snr_db + random.uniform(0, QUIETER_DB, count)
    hit_H = np.flatnonzero(random.random(count) < config.noise)
    # What no noise is laid on keeps every bit, and costs nothing: of a batch this was a sixth.
    grains_GHTM = random.standard_exponential((GRAINS, len(hit_H), frames, bands), dtype=np.float32)
    level_HTM = grains_GHTM.mean(axis=0) * (10.0 ** (-below_B[hit_H] / 10))[:, None, None]
    rows_H = torch.from_numpy(hit_H).to(mels_BTM.device)
    power_HTM, mask_HT = 10.0 ** mels_BTM[rows_H], mask_BT[rows_H]
    mean_H11 = ((power_HTM.mean(2) * mask_HT).sum(1) / mask_HT.sum(1))[:, None, None]
    noise_HTM = torch.from_numpy(level_HTM).to(mels_BTM) * mean_H11
    return mels_BTM.index_copy(0, rows_H, (power_HTM + noise_HTM).log10())


def without_time(mels_BTM: Tensor, mask_BT: Tensor, share: float, random: Random) -> Tensor:
    """A run of at most `share` of each sound's frames is the mean of all training sounds."""
    inside_BT = _runs(mask_BT.sum(1).cpu().numpy(), mels_BTM.shape[1], share, random)
    return mels_BTM.masked_fill(torch.from_numpy(inside_BT).to(mels_BTM.device)[:, :, None], 0.0)


def without_pitch(mels_BTM: Tensor, share: float, random: Random) -> Tensor:
    """Neighbouring bands, at most `share` of all, are the mean of all training sounds."""
    count, bands = len(mels_BTM), mels_BTM.shape[2]
    inside_BM = _runs(np.full(count, bands), bands, share, random)
    return mels_BTM.masked_fill(torch.from_numpy(inside_BM).to(mels_BTM.device)[:, None, :], 0.0)


def _runs(lengths: np.ndarray, size: int, share: float, random: Random) -> np.ndarray:
    """Masks [B, size] of one run in each row, up to `share` of its length long, anywhere in it."""
    run = np.floor(random.random(len(lengths)) * (share * lengths + 1))
    start = np.floor(random.random(len(lengths)) * (lengths - run + 1))
    place = np.arange(size)[None]
    return np.asarray((place >= start[:, None]) & (place < (start + run)[:, None]))
