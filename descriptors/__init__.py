"""Descriptors of atomic configurations, built by name.

To add one, write a file here with a class that derives from `LocalDescriptor` or `Descriptor` and says in its table
`parameters` what its arguments may be, and give it a line in `REGISTRY`. The contract tests and the cost estimate
follow; ``python -m vibentropy.run.parameter_schema`` writes the schema of configurations and the tables in the
documentation. A class that lives elsewhere is named by its dotted path, or by an entry point of the group
``vibentropy.descriptors``.
"""

from __future__ import annotations

import inspect
import json
import pkgutil
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from vibentropy.errors import ConfigError, did_you_mean, how_to_install

if TYPE_CHECKING:
    from vibentropy.descriptors.base import Descriptor, LocalDescriptor

__all__ = ["REGISTRY", "Descriptor", "LocalDescriptor", "available", "create", "find", "kind_of", "recipe"]

#: Kind and place of every descriptor of this package; imported when first asked for.
REGISTRY = {
    "afs": "vibentropy.descriptors.afs:AngularFourierSeries",
    "pair_spline": "vibentropy.descriptors.pair_spline:PairSpline",
    "triple_spline": "vibentropy.descriptors.triple_spline:TripleSpline",
    "two_body": "vibentropy.descriptors.two_body:RadialDensity",
    "power_spectrum": "vibentropy.descriptors.power_spectrum:PowerSpectrum",
    "four_body": "vibentropy.descriptors.four_body:DensityBispectrum",
    "body_order": "vibentropy.descriptors.body_order:BodyOrder",
    "soap": "vibentropy.descriptors.soap:SmoothOverlap",
    "acsf": "vibentropy.descriptors.acsf:SymmetryFunctions",
    "snap": "vibentropy.descriptors.snap:Bispectrum",
    "union": "vibentropy.descriptors.union:Union",
    "quadratic": "vibentropy.descriptors.quadratic:Quadratic",
    "scattering": "vibentropy.descriptors.scattering:SolidHarmonicScattering",
    "hessian_moments": "vibentropy.descriptors.hessian_moments:HessianMoments",
    "hessian_stiffness": "vibentropy.descriptors.hessian_stiffness:HessianStiffness",
    "hessian_clusters": "vibentropy.descriptors.hessian_clusters:HessianClusters",
}

#: Where classes are now that files written by earlier versions name by their old paths.
MOVED = {"vibentropy.nonlinear.AtomKernel": "vibentropy.studies.atom_kernel.AtomKernel"}


def __getattr__(name: str) -> object:
    # scikit-learn, which descriptors are made in the manner of, takes half a second to load: not where only the names
    # of descriptors matter.
    if name not in ("Descriptor", "LocalDescriptor"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from vibentropy.descriptors import base

    return getattr(base, name)


def available() -> dict[str, str]:
    """Kinds of descriptors that `create` knows by name, and where their classes are.

    Returns
    -------
    dict of str to str
        Those of installed entry points first, then those of this package, which win where names clash.
    """
    return {entry.name: f"{entry.module}:{entry.attr}" for entry in entry_points(group=__name__)} | REGISTRY


def find(kind: str) -> type[Descriptor]:
    """Look up the class of a descriptor by its kind.

    Parameters
    ----------
    kind : str
        A name from `available`, or the dotted path of a class.

    Returns
    -------
    type
        Subclass of `Descriptor`.

    Raises
    ------
    ConfigError
        If there is no such descriptor, or it cannot be imported.
    """
    kind = MOVED.get(kind, kind)
    # All installed packages are searched for plugins, which takes time: only where the kind is not one of ours.
    kinds = REGISTRY if kind in REGISTRY else available()
    if kind not in kinds and "." not in str(kind):
        raise ConfigError(
            f"there is no descriptor of kind {kind!r}{did_you_mean(kind, kinds)}; there are {', '.join(kinds)}, "
            "and dotted paths to classes"
        )
    try:
        cls = pkgutil.resolve_name(kinds.get(kind, kind))
    except (ImportError, AttributeError, ValueError) as error:
        reason = f"{error}{how_to_install(error)}"
        raise ConfigError(f"the descriptor of kind {kind!r} cannot be imported: {reason}") from error
    from vibentropy.descriptors.base import Descriptor

    if not (isinstance(cls, type) and issubclass(cls, Descriptor)):
        raise ConfigError(f"the descriptor of kind {kind!r} is {cls!r}, not a subclass of {Descriptor.__name__}")
    return cls


def kind_of(cls: type[Descriptor]) -> str:
    """Name of a class of descriptors.

    Parameters
    ----------
    cls : type

    Returns
    -------
    str
        For `find`: a name from `available`, or else its dotted path.
    """
    names = {place: name for name, place in available().items()}
    return names.get(f"{cls.__module__}:{cls.__qualname__}", f"{cls.__module__}.{cls.__qualname__}")


def recipe(descriptor: Descriptor) -> dict[str, Any]:
    """Say what `create` needs to build a descriptor again.

    Parameters
    ----------
    descriptor : Descriptor

    Returns
    -------
    dict
        ``kind``, as from `kind_of`, and ``parameters``.

    Raises
    ------
    ConfigError
        If a parameter is an object that no file can hold, such as a potential.
    """
    kind, parameters = kind_of(type(descriptor)), descriptor.get_params(deep=False)
    for name, value in parameters.items():
        try:
            json.dumps(value)
        except TypeError:
            raise ConfigError(
                f"descriptor {kind!r}: {name} is {value!r}, which files cannot hold: to save what is made with it, "
                "give it as text, numbers, lists or mappings"
            ) from None
    return {"kind": kind, "parameters": parameters}


def recipe_in_words(described: dict[str, Any]) -> str:
    """Write what `recipe` says in one line.

    Parameters
    ----------
    described : dict
        ``kind`` and ``parameters``.

    Returns
    -------
    str
    """
    return f"{described['kind']} {json.dumps(described['parameters'])}"


def create(kind: str, **parameters: Any) -> Descriptor:
    """Build a descriptor by name.

    Parameters
    ----------
    kind : str
        See `find`.
    **parameters
        Those of the class; what is left out takes its default.

    Returns
    -------
    Descriptor

    Raises
    ------
    ConfigError
        If the kind or a parameter does not exist, or a value is not valid.
    """
    descriptor = find(kind)
    accepted = inspect.signature(descriptor).parameters
    for name in parameters:
        if name not in accepted:
            raise ConfigError(
                f"descriptor {kind!r} has no parameter {name!r}{did_you_mean(name, accepted)}; "
                f"it takes {', '.join(accepted)}"
            )
    missing = [name for name, p in accepted.items() if p.default is p.empty and name not in parameters]
    if missing:
        raise ConfigError(f"descriptor {kind!r} needs {', '.join(missing)}")
    if inspect.isabstract(descriptor):
        raise ConfigError(f"{kind!r} does not implement {', '.join(sorted(descriptor.__abstractmethods__))}")
    if "species" not in accepted:
        raise ConfigError(f"{kind!r} lacks the parameter `species`, which every descriptor has (None by default)")
    built = descriptor(**parameters)
    built.validate()
    return built
