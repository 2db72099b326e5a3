"""Learning rates as pure functions of the step."""

import math

WARM_UP = 0.1
"""Share of the steps that climb to the peak."""


def one_cycle_lr(step: int, total_steps: int, peak: float) -> float:
    """Linear climb, cosine descent to nearly zero (Smith and Topin 2018, arXiv:1708.07120)."""
    climb = max(1.0, WARM_UP * total_steps)
    if step < climb:
        return peak * (step + 1) / (climb + 1)
    descent = (step - climb) / max(1.0, total_steps - climb)
    return peak * 0.5 * (1.0 + math.cos(math.pi * min(1.0, descent)))


def exponential_lr(step: int, total_steps: int, lowest: float, highest: float) -> float:
    """Rate of a range test: equal factors from lowest to highest (Smith 2017, arXiv:1506.01186)."""
    return float(lowest * (highest / lowest) ** (step / max(1, total_steps - 1)))
