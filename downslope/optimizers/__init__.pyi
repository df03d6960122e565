"""Written by `make generate`; edit what it is made from."""

from downslope.core.catalogue import Catalogue
from downslope.optimizers.adam import Adam as Adam
from downslope.optimizers.adamw import Adamw as Adamw
from downslope.optimizers.gradient_descent import GradientDescent as GradientDescent
from downslope.optimizers.momentum import Momentum as Momentum
from downslope.optimizers.nesterov import Nesterov as Nesterov
from downslope.optimizers.rmsprop import Rmsprop as Rmsprop
from downslope.optimizers.sgd import Sgd as Sgd

catalogue: Catalogue  # optimizers
