"""A MACE model of iron that is fitted in seconds: one layer of eight channels, in double precision."""

from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from mace import data, modules
from mace.tools import AtomicNumberTable, torch_geometric

from vibentropy.potentials.protocols import Interaction

#: Lattice constant of iron and cutoff of the model, Å.
_A, _CUTOFF = 2.8553127, 4.5

_STEPS = 100


def fit(iron: Interaction) -> Any:
    """Fit a model to energies and forces of iron.

    Parameters
    ----------
    iron : Interaction

    Returns
    -------
    mace.modules.ScaleShiftMACE
    """
    from e3nn import o3  # Here, because it is mace that lets torch load its constants.

    torch.manual_seed(0)
    # Sums of several threads differ in their last digits, and after a hundred steps in the first.
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    cells = _training_cells(iron)
    keys = data.KeySpecification(info_keys={"energy": "energy"}, arrays_keys={"forces": "iron_forces"})
    graphs = [
        data.AtomicData.from_config(
            data.config_from_atoms(atoms, key_specification=keys), z_table=AtomicNumberTable([26]), cutoff=_CUTOFF
        )
        for atoms in cells
    ]
    batch = next(iter(torch_geometric.dataloader.DataLoader(graphs, batch_size=len(graphs)))).to_dict()
    sizes = torch.tensor([len(atoms) for atoms in cells])
    interaction = modules.interaction_classes["RealAgnosticInteractionBlock"]
    model = modules.ScaleShiftMACE(
        r_max=_CUTOFF,
        num_bessel=6,
        num_polynomial_cutoff=6,
        max_ell=1,
        interaction_cls=interaction,
        interaction_cls_first=interaction,
        num_interactions=1,
        num_elements=1,
        hidden_irreps=o3.Irreps("8x0e"),
        MLP_irreps=o3.Irreps("8x0e"),
        atomic_energies=np.array([float((batch["energy"] / sizes).mean())]),
        avg_num_neighbors=batch["edge_index"].shape[1] / int(sizes.sum()),
        atomic_numbers=[26],
        correlation=2,
        radial_MLP=[16],
        gate=torch.nn.functional.silu,
        atomic_inter_scale=1.0,
        atomic_inter_shift=0.0,
    )
    optimizer = torch.optim.LBFGS(
        model.parameters(), max_iter=_STEPS, history_size=_STEPS, line_search_fn="strong_wolfe"
    )

    def loss():
        optimizer.zero_grad()
        found = model(batch, training=True, compute_stress=False)
        energies = (found["energy"] - batch["energy"]) / sizes
        total = 100 * (energies**2).mean() + ((found["forces"] - batch["forces"]) ** 2).mean()
        total.backward()
        return total

    optimizer.step(loss)
    print(f"loss of the model {float(loss()):.2g}")
    return model


def _training_cells(iron: Interaction) -> list[Atoms]:
    """Cells of 16 and 54 sites, strained and shaken, half of them with a vacancy, with what iron says of them."""
    rng = np.random.default_rng(0)
    cells = []
    for n in range(24):
        atoms = bulk("Fe", "bcc", a=_A, cubic=True) * (3 if n % 8 == 7 else 2)
        atoms.set_cell(atoms.cell @ (np.eye(3) + 0.02 * rng.standard_normal((3, 3))), scale_atoms=True)
        if n % 8 >= 4:
            del atoms[0]
        atoms.rattle([0.02, 0.05, 0.1][n % 3], rng=rng)
        atoms.info["energy"], atoms.arrays["iron_forces"] = iron.energy_and_forces(atoms)
        cells.append(atoms)
    return cells
