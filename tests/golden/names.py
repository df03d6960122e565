"""The public names of other libraries, so that what is said of them can be checked where they are not installed."""

import json
from pathlib import Path


def public(place):
    return sorted(name for name in dir(place) if not name.startswith("_"))


def collected():
    """Names by library and kind of entry, with the version they were read from."""
    import keras
    import optax
    import sklearn
    import sklearn.linear_model
    import sklearn.neural_network
    import sklearn.svm
    import torch

    activations = [
        name for name in public(torch.nn.functional) if name.endswith(("loss", "entropy", "entropy_with_logits", "kl_div"))
    ]
    losses = [name for name in public(torch.nn) if name.endswith("Loss")]
    clips = [name for name in public(torch.nn.utils) if name.startswith("clip")]
    layers = {"Linear", "ReLU", "Sequential"} & set(public(torch.nn))
    estimators = [*public(sklearn.linear_model), *public(sklearn.neural_network), *public(sklearn.svm)]
    return {
        "PyTorch": {
            "version": torch.__version__.partition("+")[0],
            "names": {
                "loss": activations + losses,
                "optimizer": public(torch.optim) + public(torch.optim.swa_utils) + clips,
                "schedule": public(torch.optim.lr_scheduler),
                "model": sorted(layers),
            },
        },
        "Keras": {
            "version": keras.__version__,
            "names": {
                "loss": public(keras.losses),
                "optimizer": public(keras.optimizers),
                "schedule": public(keras.optimizers.schedules),
                "penalty": public(keras.regularizers),
                "model": sorted({"Dense"} & set(public(keras.layers))),
            },
        },
        "optax": {
            "version": optax.__version__,
            "names": {
                "loss": public(optax.losses),
                "optimizer": sorted({*public(optax), *public(optax.contrib)} - set(public(optax.losses))),
                "schedule": public(optax.schedules),
            },
        },
        "scikit-learn": {"version": sklearn.__version__, "names": {"model": [n for n in estimators if n[0].isupper()]}},
    }


def write(folder: Path) -> None:
    """The file that the tests read."""
    text = json.dumps(collected(), indent=1, ensure_ascii=False)
    (folder / "names.json").write_text(text + "\n")
    print("names: public names of PyTorch, Keras, optax and scikit-learn")
