"""Written by `make generate`; edit what it is made from."""

from downslope import losses as losses
from downslope import models as models
from downslope import optimizers as optimizers
from downslope import penalties as penalties
from downslope import schedules as schedules
from downslope.comparison.compare import compare as compare
from downslope.comparison.train import train as train
from downslope.core.errors import DownslopeError as DownslopeError
from downslope.core.record import Record as Record
from downslope.core.record import choice as choice
from downslope.core.record import hyper as hyper
from downslope.prediction.predictor import load as load

PACKAGES: tuple[str, ...]
WHERE: dict[str, str]
__version__: str
