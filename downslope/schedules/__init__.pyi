"""Written by `make generate`; edit what it is made from."""

from downslope.core.catalogue import Catalogue
from downslope.schedules.constant import Constant as Constant
from downslope.schedules.cosine import Cosine as Cosine
from downslope.schedules.cosine_restarts import CosineRestarts as CosineRestarts
from downslope.schedules.exponential import Exponential as Exponential
from downslope.schedules.inverse_square_root import InverseSquareRoot as InverseSquareRoot
from downslope.schedules.linear import Linear as Linear
from downslope.schedules.one_cycle import OneCycle as OneCycle
from downslope.schedules.polynomial import Polynomial as Polynomial
from downslope.schedules.step import Step as Step
from downslope.schedules.warmup_stable_decay import WarmupStableDecay as WarmupStableDecay

catalogue: Catalogue  # schedules
