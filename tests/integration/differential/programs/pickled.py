"""A class of the author's, pickled."""

from flytekit import task, workflow


class Model:
    def __init__(self, weight: float):
        self.weight = weight


@task(pickle_untyped=True)
def train(weight: float) -> Model:
    return Model(weight)


@task(pickle_untyped=True)
def use(model: Model) -> float:
    return model.weight


@workflow
def wf(weight: float) -> float:
    return use(model=train(weight=weight))
