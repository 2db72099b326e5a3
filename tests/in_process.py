"""From rows to a bundle in this process, without services: what tests and benchmarks share."""

from pathlib import Path

import torch

from tasks.artifacts import DatasetRef
from tasks.compression.config import QuantizeConfig
from tasks.compression.quantize import quantize_bundle
from tasks.compression.sample import sample_of
from tasks.data.config import DataConfig
from tasks.data.dataset import reference_of, write_dataset
from tasks.data.prepare import prepare_rows
from tasks.data.snapshot import split_rows
from tasks.packaging.export import export_bundle, prove_parity
from tasks.packaging.predictor import Predictor
from tasks.training.checkpoint import Checkpoint
from tasks.training.config import ComputeConfig
from tasks.training.course import Setting, TrainState, own_weights
from tasks.training.device import Device
from tasks.training.job import TrainingJob, first_state, material_of
from tasks.training.loop import train
from tasks.training.model_folder import card_of, save_model
from tasks.training.recipes import Site
from tasks.training.resume import checkpoint_of

CPU = Device(torch.device("cpu"), bfloat16=False)
ALONE = ComputeConfig(workers=1, device="cpu", precision="float32")


class Stop(Exception):
    """A kill."""


class StopAt:
    """Takes a checkpoint after `step` steps and kills the run."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.checkpoint: Checkpoint | None = None

    def on_step(self, state: TrainState, total_steps: int) -> None:
        del total_steps
        if state.step == self.step:
            self.checkpoint = checkpoint_of(state)
            raise Stop

    def on_epoch(self, state: TrainState, total_steps: int) -> None:
        """Nothing."""


def snapshot(config: DataConfig, base: Path, folder: Path, name: str = "rows") -> DatasetRef:
    """Fill `folder`, made if need be, with the rows that `config` names from `base`."""
    prepared = prepare_rows(config, base)
    folder.mkdir(exist_ok=True)
    return reference_of(prepared, name, write_dataset(prepared, folder))


def site_of(data: Path, dataset: DatasetRef) -> Site:
    """Where one worker trains in float32."""
    return Site(dataset=dataset, dataset_folder=data, compute=ALONE)


def taught(job: TrainingJob, folder: Path, device: Device = CPU) -> Path:
    """The model folder of a whole training."""
    state = first_state(job, device)
    train(state, job.course, material_of(job), Setting(device))
    card = card_of(state.model, job.blueprint, job.classes, job.scale, job.task)
    weights = own_weights(state.model.state_dict() | state.best_weights)
    save_model(folder, weights, card, job.blueprint.files, state.history)
    return folder


def exported(data: Path, dataset: DatasetRef, model: Path, bundle: Path) -> Predictor:
    """The bundle's predictor, its answers proven to be the model's."""
    valid = split_rows(data, dataset, "valid").columns
    export_bundle(model, bundle, dataset.target, valid)
    predictor = Predictor.load(bundle)
    assert prove_parity(model, bundle, valid, predictor.probabilities(valid)).differing == 0
    return predictor


def quantized(
    data: tuple[Path, DatasetRef], bundle: Path, target: Path, form: QuantizeConfig | None = None
) -> str:
    """The digest of the bundle's form, int8 unless another is asked for, written to `target`."""
    return quantize_bundle(bundle, target, form or QuantizeConfig(), sample_of(*data))
