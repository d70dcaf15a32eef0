"""Bispectrum on the three-sphere (Bartók et al., Phys. Rev. Lett. 104, 136403 (2010)), by LAMMPS.

Thompson et al., J. Comput. Phys. 285, 316 (2015); for several species Cusentino, Wood, Thompson, J. Phys. Chem. A
124, 5456 (2020).
"""

from itertools import product
from typing import Any, ClassVar

import numpy as np

from vibentropy.atoms.clusters import clusters
from vibentropy.descriptors.base import BLOCK, LocalDescriptor
from vibentropy.descriptors.parameters import SPECIES, Integer, Number, Parameter
from vibentropy.potentials.lammps import command, shared_lammps

#: Distance in Å between the outermost atoms of a cluster and the walls of the box that LAMMPS needs.
MARGIN = 1.0


class Bispectrum(LocalDescriptor):
    """Bispectrum on the three-sphere, the descriptor of SNAP potentials, four-body; by LAMMPS (``compute sna/atom``).

    A neighbour at a distance r becomes a point on the unit sphere in four dimensions, whose angle with the pole is
    θ₀ = rfac0 π (r - rmin0) / (r_cut - rmin0). The density of these points, each weighted by a function that falls
    from 1 to 0 at r_cut, plus a point of weight 1 at the pole for the atom itself (the self contribution), has the
    coefficients u^j_{mm'} in hyperspherical harmonics, and

        B_{j₁j₂j} = Σ (u^j_{mm'})* C^{jm}_{j₁m₁j₂m₂} C^{jm'}_{j₁m₁'j₂m₂'} u^{j₁}_{m₁m₁'} u^{j₂}_{m₂m₂'}

    for j₂ <= j₁ <= j <= twojmax / 2. What an atom without neighbours has is subtracted, so that its features are zero.

    With several species each has a density of its own, to which the self contribution of the atom's own species
    belongs, and there is a B for every triple of them (the explicit multi-element form, ``chem``): their number grows
    with the third power of that of the species. All species have the same cutoff.

    Parameters
    ----------
    twojmax : int
        Twice the largest j, from 0; 8 gives 55 components, 14 gives 204.
    r_cut : float
        Cutoff in Å.
    rfac0 : float
        Fraction of the sphere that neighbours within the cutoff cover, between 0 and 1.
    rmin0 : float
        Distance that is mapped to the pole, in Å; from 0 and below r_cut.
    species : list of str, optional
        Elements to tell apart; by default all atoms must be of one element.
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        "twojmax": Integer("twice the largest j", minimum=0),
        "r_cut": Number("cutoff", unit="Å", above=0, maximum=20),
        "rfac0": Number("fraction of the sphere that is covered", above=0, below=1),
        "rmin0": Number("distance that is mapped to the pole", unit="Å", minimum=0),
        "species": SPECIES,
    }
    seconds_per_atom: ClassVar[float] = 1.4e-4
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"twojmax": 6, "r_cut": 4.0},
        {"twojmax": 3, "r_cut": 3.5, "rfac0": 0.9, "rmin0": 0.5, "species": ["Fe", "Cr"]},
    )

    def __init__(
        self,
        twojmax: int = 8,
        r_cut: float = 5.0,
        rfac0: float = 0.99363,
        rmin0: float = 0.0,
        species: list[str] | None = None,
    ) -> None:
        self.twojmax = twojmax
        self.r_cut = r_cut
        self.rfac0 = rfac0
        self.rmin0 = rmin0
        self.species = species

    def check_parameters(self) -> None:
        """Check the parameters; see `Descriptor.check_parameters`."""
        super().check_parameters()
        if not self.rmin0 < self.r_cut:
            raise ValueError(f"rmin0 == {self.rmin0}, must be < r_cut == {self.r_cut}.")

    @property
    def feature_names(self) -> list[str]:
        """``B_2j1_2j2_2j``; with several species ``B_Fe-Cr-Fe_2j1_2j2_2j``, that of j₁, of j₂ and of j."""
        species = self.species or []
        triples = [f"_{'-'.join(triple)}" for triple in product(species, repeat=3)] if len(species) > 1 else [""]
        components = [
            (j1, j2, j)
            for j1 in range(self.twojmax + 1)
            for j2 in range(j1 + 1)
            for j in range(j1 - j2, min(self.twojmax, j1 + j2) + 1, 2)
            if j >= j1
        ]
        return [f"B{triple}_{j1}_{j2}_{j}" for triple in triples for j1, j2, j in components]

    def _blocks(self, atoms):
        n_species = len(self.species or [None])
        types = self.species_indices(atoms) + 1
        per_type = " ".join(["0.5"] * n_species + ["1.0"] * n_species)  # radii in units of the cutoff, and weights
        elements = " ".join(map(str, range(n_species)))
        compute = (
            f"compute bispectrum centres sna/atom {float(self.r_cut)!r} {float(self.rfac0)!r} {self.twojmax} "
            f"{per_type} rmin0 {float(self.rmin0)!r}" + (f" chem {n_species} {elements}" if n_species > 1 else "")
        )
        lammps = shared_lammps()
        for centres, positions, index in clusters(atoms, self.r_cut, BLOCK):
            n = len(positions)
            # Far from the origin coordinates have fewer digits behind the point.
            positions -= positions.mean(axis=0)
            low, high = positions.min(axis=0) - MARGIN, positions.max(axis=0) + MARGIN
            walls = " ".join(repr(float(x)) for pair in zip(low, high, strict=True) for x in pair)
            command(
                lammps,
                "clear",
                "units metal",
                "atom_style atomic",
                "atom_modify map array sort 0 0",
                "boundary f f f",
                f"region box block {walls}",
                f"create_box {n_species} box",
                "mass * 1.0",
            )
            lammps.create_atoms(n, list(range(1, n + 1)), types[index].tolist(), positions.ravel().tolist())
            command(
                lammps,
                f"pair_style zero {float(self.r_cut)!r}",
                "pair_coeff * *",
                f"group centres id 1:{len(centres)}",
                compute,
                "run 0 post no",
            )
            # One processor that does not sort keeps atoms in the order of their creation.
            yield centres, np.array(lammps.numpy.extract_compute("bispectrum", 1, 2)[: len(centres)])
        command(lammps, "clear")
