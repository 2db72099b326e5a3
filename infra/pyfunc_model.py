"""What MLflow runs when it loads a registered version: the bundle behind mlflow.pyfunc.

MLflow keeps this file and the folder `predictor` with the model, so both are found without
modelworks. This file is executed, not imported: the last line tells MLflow what it holds.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class BundleModel(PythonModel):
    """A data frame of inputs to one of `label` and `probability_<class>`, or of `prediction`.

    Of a model that writes texts to one of `continuation`; `params` say how it is drawn.
    """

    def load_context(self, context: Any) -> None:
        """Open the bundle with the predictor that was stored beside it, as it was measured, or as
        the loader's `model_config` says: `threads`, `provider`."""
        from predictor import Predictor  # type: ignore[import-not-found]  # from code_paths

        given = context.model_config or {}
        session = {name: given[name] for name in ("threads", "provider") if name in given}
        self.predictor = Predictor.load(Path(context.artifacts["bundle"]), **session)

    def predict(
        self,
        context: Any,  # noqa: ARG002 (MLflow's signature)
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """One row of answers for each row; ValueError names a column that is missing."""
        frame = pd.DataFrame(model_input)
        missing = [name for name in self.predictor.inputs if name not in frame.columns]
        if missing:
            given = ", ".join(map(repr, frame.columns)) or "none"
            raise ValueError(f"column {missing[0]!r} is missing; given: {given}")
        columns = {name: frame[name].tolist() for name in self.predictor.inputs}
        return pd.DataFrame(self.predictor.answer(columns, params), index=frame.index)


set_model(BundleModel())
