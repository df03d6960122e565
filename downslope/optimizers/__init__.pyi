"""Written by `make generate`; edit what it is made from."""

from downslope.core.catalogue import Catalogue
from downslope.optimizers.adadelta import Adadelta as Adadelta
from downslope.optimizers.adagrad import Adagrad as Adagrad
from downslope.optimizers.adam import Adam as Adam
from downslope.optimizers.adamax import Adamax as Adamax
from downslope.optimizers.adamw import Adamw as Adamw
from downslope.optimizers.amsgrad import Amsgrad as Amsgrad
from downslope.optimizers.gradient_descent import GradientDescent as GradientDescent
from downslope.optimizers.momentum import Momentum as Momentum
from downslope.optimizers.nadam import Nadam as Nadam
from downslope.optimizers.nesterov import Nesterov as Nesterov
from downslope.optimizers.radam import Radam as Radam
from downslope.optimizers.rmsprop import Rmsprop as Rmsprop
from downslope.optimizers.rmsprop_momentum import RmspropMomentum as RmspropMomentum
from downslope.optimizers.rprop import Rprop as Rprop
from downslope.optimizers.sgd import Sgd as Sgd

catalogue: Catalogue  # optimizers
