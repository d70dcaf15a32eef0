import pytest

from vibentropy.descriptors import REGISTRY, create, find

EXAMPLES = [
    pytest.param((kind, example), id=f"{kind}-{number}")
    for kind in REGISTRY
    for number, example in enumerate(find(kind).examples)
]


@pytest.fixture(scope="session", params=EXAMPLES)
def recipe(request):
    """Kind and parameters of every example of every registered descriptor."""
    return request.param


@pytest.fixture(scope="session")
def descriptor(recipe):
    kind, parameters = recipe
    return create(kind, **parameters)
