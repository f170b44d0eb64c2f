"""The half of ``flytekit.exceptions.user`` that are assertions."""

from flytekit.exceptions.base import FlyteAssertion


class FlyteValidationException(FlyteAssertion, code="USER:ValidationError"):
    """A workflow does not make sense."""


class FlyteDisapprovalException(FlyteAssertion, code="USER:ResultNotApproved"):
    """Somebody said no."""


class FlyteEntityAlreadyExistsException(FlyteAssertion, code="USER:EntityAlreadyExists"):
    """Something of this name exists."""


class FlyteEntityNotExistException(FlyteAssertion, code="USER:EntityNotExist"):
    """Nothing of this name exists."""


class FlyteEntityNotFoundException(FlyteAssertion, code="USER:EntityNotFound"):
    """Nothing of this name was found."""


class FlyteTimeout(FlyteAssertion, code="USER:Timeout"):
    """It took too long."""


class FlyteAuthenticationException(FlyteAssertion, code="USER:AuthenticationError"):
    """The credentials were refused."""


class FlytePromiseAttributeResolveException(FlyteAssertion, code="USER:PromiseAttributeResolveError"):
    """There is nothing at this place in an output."""
