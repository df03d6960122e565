"""The makers need other frameworks and are not tests."""

collect_ignore = [
    "make.py",
    "case.py",
    "with_torch.py",
    "with_optax.py",
    "with_keras.py",
    "with_pytorch_optimizer.py",
    "schedules.py",
    "line_search.py",
]
