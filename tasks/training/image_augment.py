"""Training pictures, varied at random: moved, turned, mirrored, tinted, blanked, mixed.

Shapes: B batch, C channels, H and W pixels, K classes. Pixels are standard scores, so 0 is the mean
of all training pictures. What is drawn is drawn on the CPU, so that every device trains alike.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tasks.training.absent import UNLABELLED
from tasks.training.examples import Batch
from tasks.training.image_architectures import ImageAugmentConfig

SMALLEST, LARGEST = 0.15, 0.45
"""Share of a side that a blanked rectangle is long."""
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class ImageAugment:
    """A batch of pictures to one like it."""

    config: ImageAugmentConfig
    num_outputs: int

    def __call__(self, batch: Batch, random: Random) -> Batch:
        """The batch with its pictures varied, and its labels where pictures are mixed."""
        config, pixels = self.config, batch.inputs["pixels"]
        if config.shift or config.rotate or config.flip:
            pixels = moved(pixels, config, random)
        if config.colour:
            pixels = tinted(pixels, config.colour, random)
        if config.erase:
            pixels = erased(pixels, config.erase, random)
        batch = replace(batch, inputs={**batch.inputs, "pixels": pixels})
        ways = [way for way in (mixup, cutmix) if getattr(config, way.__name__)]
        if not ways:
            return batch
        way = ways[int(random.integers(len(ways)))]
        return way(batch, getattr(config, way.__name__), self.num_outputs, random)


def moved(pixels_BCHW: Tensor, config: ImageAugmentConfig, random: Random) -> Tensor:
    """Shifted by whole pixels, turned and mirrored; what comes in at the border repeats it."""
    count, side = len(pixels_BCHW), pixels_BCHW.shape[-1]
    most = round(config.shift * side)
    angle = np.deg2rad(random.uniform(-config.rotate, config.rotate, count))
    shift = random.integers(-most, most + 1, (count, 2)) * (2 / side)
    mirror = np.where(random.random(count) < 0.5 * config.flip, -1.0, 1.0)
    cos, sin = np.cos(angle), np.sin(angle)
    affine = np.stack([mirror * cos, -mirror * sin, shift[:, 0], sin, cos, shift[:, 1]], axis=1)
    theta_B23 = torch.from_numpy(affine.reshape(count, 2, 3)).to(pixels_BCHW)
    shape = list(pixels_BCHW.shape)
    grid = functional.affine_grid(theta_B23, shape, align_corners=False)
    found_BCHW: Tensor = functional.grid_sample(
        pixels_BCHW, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return found_BCHW


def tinted(pixels_BCHW: Tensor, strength: float, random: Random) -> Tensor:
    """Contrast and saturation times, and brightness plus, at most `strength` either way."""
    draws = random.uniform(-strength, strength, (3, len(pixels_BCHW), 1, 1, 1))
    bright, contrast, saturation = torch.from_numpy(draws).to(pixels_BCHW)
    mean = pixels_BCHW.mean((1, 2, 3), keepdim=True)
    found = (pixels_BCHW - mean) * (1 + contrast) + mean + bright
    grey = found.mean(1, keepdim=True)
    changed_BCHW: Tensor = (found - grey) * (1 + saturation) + grey
    return changed_BCHW


def erased(pixels_BCHW: Tensor, share: float, random: Random) -> Tensor:
    """A rectangle of the mean in about `share` of the pictures."""
    count, _, height, width = pixels_BCHW.shape
    sides = random.uniform(SMALLEST, LARGEST, (count, 2))
    is_hit = random.random(count) < share
    inside_BHW = _rectangles(sides, (height, width), random) & is_hit[:, None, None]
    mask = torch.from_numpy(inside_BHW).to(pixels_BCHW.device)
    return pixels_BCHW.masked_fill(mask.unsqueeze(1), 0.0)


def mixup(batch: Batch, alpha: float, num_outputs: int, random: Random) -> Batch:
    """Every picture blended with another one of the batch, and the labels likewise."""
    share = float(random.beta(alpha, alpha))
    other = torch.from_numpy(random.permutation(len(batch))).to(batch.labels.device)
    pixels = batch.inputs["pixels"]
    blend = share * pixels + (1 - share) * pixels[other]
    return _blended(batch, blend, torch.full((len(batch),), share), other, num_outputs)


def cutmix(batch: Batch, alpha: float, num_outputs: int, random: Random) -> Batch:
    """A rectangle of every picture from another one, and that share of its label."""
    pixels = batch.inputs["pixels"]
    count, _, height, width = pixels.shape
    sides = np.sqrt(1 - random.beta(alpha, alpha, (count, 1))).repeat(2, axis=1)
    inside_BHW = torch.from_numpy(_rectangles(sides, (height, width), random))
    other = torch.from_numpy(random.permutation(count)).to(pixels.device)
    blend = torch.where(inside_BHW.unsqueeze(1).to(pixels.device), pixels[other], pixels)
    share_B = 1 - inside_BHW.float().mean((1, 2))
    return _blended(batch, blend, share_B, other, num_outputs)


def _blended(
    batch: Batch, pixels: Tensor, share_B: Tensor, other: Tensor, num_outputs: int
) -> Batch:
    """The batch with these pixels; labels, answers of a teacher and weights are blended too."""
    labels = batch.labels
    if not labels.is_floating_point():
        known_B1 = labels.unsqueeze(1) != UNLABELLED
        labels = functional.one_hot(labels.clamp(min=0), num_outputs).float() * known_B1
    share = share_B.to(labels.device)
    share_BK = share.view(-1, *[1] * (labels.dim() - 1))
    teacher = batch.teacher
    if teacher is not None:
        teacher = share[:, None] * teacher + (1 - share[:, None]) * teacher[other]
    labels = share_BK * labels + (1 - share_BK) * labels[other]
    weights = batch.weights
    if weights is not None:
        weights = share * weights + (1 - share) * weights[other]
    inputs = {**batch.inputs, "pixels": pixels}
    return replace(batch, inputs=inputs, labels=labels, teacher=teacher, weights=weights)


def _rectangles(sides: np.ndarray, shape: tuple[int, int], random: Random) -> np.ndarray:
    """Masks [B, H, W] of rectangles that are these shares of the sides, anywhere in the picture."""
    masks = []
    for place, length in enumerate(shape):
        size = np.rint(sides[:, place] * length)
        start = np.floor(random.random(len(sides)) * (length - size + 1))
        at = np.arange(length)[None, :]
        masks.append((at >= start[:, None]) & (at < (start + size)[:, None]))
    return np.asarray(masks[0][:, :, None] & masks[1][:, None, :])
