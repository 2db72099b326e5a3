"""Temperature scaling: confidence that means what it says, answers that stay what they are.

Logits are divided by one number, chosen to make the labels of validation rows likeliest (Guo et al.
2017, arXiv:1706.04599, section 4.2). Their order stays, so no answer changes. The logarithm of a
probability is its logit, up to a number that a row's classes share: nothing else is asked for.

Shapes: N rows, C classes.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from tasks.evaluation.metrics import Labels, Probabilities, calibration_error
from tasks.quality_artifacts import Calibration

LEAST, MOST = 0.1, 10.0
"""Temperatures that are looked at; trained networks come to about 1 to 3 (Guo et al., table 1)."""
DIGITS = 6
"""Behind the point: more would only carry the rounding of one machine into a bundle's digest."""
Numbers = NDArray[np.float64]


def fit_temperature(probabilities_NC: Probabilities, labels_N: Labels) -> float:
    """The temperature under which the labels are likeliest.

    1 where that gains nothing, and where no row is wrong: then the sharper the likelier, without
    end, which says nothing about rows to come.
    """
    if (probabilities_NC.argmax(axis=1) == labels_N).all():
        return 1.0
    logits_NC = _logits(probabilities_NC)

    def loss(log_temperature: float) -> float:
        return mean_loss(logits_NC / np.exp(log_temperature), labels_N)

    bounds = (np.log(LEAST), np.log(MOST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-8})
    temperature = round(float(np.exp(found.x)), DIGITS)
    return temperature if loss(np.log(temperature)) < loss(0.0) else 1.0


def mean_loss(logits_NC: Numbers, labels_N: Labels) -> float:
    """Mean of minus the logarithm of each row's true class."""
    likely_N = log_softmax(logits_NC, axis=1)[np.arange(len(labels_N)), labels_N]
    return -float(likely_N.mean())


def without_temperature(probabilities_NC: Probabilities, temperature: float) -> Probabilities:
    """The probabilities that the same logits come to when nothing divides them."""
    whole_NC = softmax(_logits(probabilities_NC) * temperature, axis=1)
    return np.asarray(whole_NC, dtype=np.float32)


def calibration_of(
    probabilities_NC: Probabilities, labels_N: Labels, temperature: float
) -> Calibration:
    """What a bundle's temperature did to its confidence on rows that it was not fitted on."""
    before_NC = without_temperature(probabilities_NC, temperature)
    return Calibration(
        temperature=temperature,
        error_before=calibration_error(before_NC, labels_N),
        error_after=calibration_error(probabilities_NC, labels_N),
        log_loss_before=mean_loss(_logits(before_NC), labels_N),
        log_loss_after=mean_loss(_logits(probabilities_NC), labels_N),
    )


def _logits(probabilities_NC: Probabilities) -> Numbers:
    """Logarithms; of a probability that float32 rounds to zero, that of its smallest number."""
    least = np.finfo(np.float32).tiny
    return np.asarray(np.log(np.maximum(probabilities_NC.astype(np.float64), least)))
