"""Written by `make generate`; edit what it is made from."""

from downslope.core.catalogue import Catalogue
from downslope.core.packed import packed as packed
from downslope.optimizers.accumulate import Accumulate as Accumulate
from downslope.optimizers.adabelief import Adabelief as Adabelief
from downslope.optimizers.adadelta import Adadelta as Adadelta
from downslope.optimizers.adafactor import Adafactor as Adafactor
from downslope.optimizers.adagrad import Adagrad as Adagrad
from downslope.optimizers.adam import Adam as Adam
from downslope.optimizers.adamax import Adamax as Adamax
from downslope.optimizers.adamw import Adamw as Adamw
from downslope.optimizers.adan import Adan as Adan
from downslope.optimizers.amsgrad import Amsgrad as Amsgrad
from downslope.optimizers.clip_by_global_norm import ClipByGlobalNorm as ClipByGlobalNorm
from downslope.optimizers.clip_by_norm import ClipByNorm as ClipByNorm
from downslope.optimizers.clip_by_value import ClipByValue as ClipByValue
from downslope.optimizers.exponential_averaging import ExponentialAveraging as ExponentialAveraging
from downslope.optimizers.gradient_descent import GradientDescent as GradientDescent
from downslope.optimizers.lamb import Lamb as Lamb
from downslope.optimizers.lars import Lars as Lars
from downslope.optimizers.lbfgs import Lbfgs as Lbfgs
from downslope.optimizers.lion import Lion as Lion
from downslope.optimizers.momentum import Momentum as Momentum
from downslope.optimizers.muon import Muon as Muon
from downslope.optimizers.nadam import Nadam as Nadam
from downslope.optimizers.nesterov import Nesterov as Nesterov
from downslope.optimizers.polyak import Polyak as Polyak
from downslope.optimizers.prodigy import Prodigy as Prodigy
from downslope.optimizers.radam import Radam as Radam
from downslope.optimizers.rmsprop import Rmsprop as Rmsprop
from downslope.optimizers.rmsprop_momentum import RmspropMomentum as RmspropMomentum
from downslope.optimizers.rprop import Rprop as Rprop
from downslope.optimizers.sam import Sam as Sam
from downslope.optimizers.schedule_free_adamw import ScheduleFreeAdamw as ScheduleFreeAdamw
from downslope.optimizers.schedule_free_sgd import ScheduleFreeSgd as ScheduleFreeSgd
from downslope.optimizers.sgd import Sgd as Sgd
from downslope.optimizers.signum import Signum as Signum
from downslope.optimizers.uniform_averaging import UniformAveraging as UniformAveraging
from downslope.optimizers.yogi import Yogi as Yogi

catalogue: Catalogue  # optimizers
