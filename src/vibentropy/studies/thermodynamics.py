"""What entropies are wanted for: free energies of formation, and how many defects a crystal holds in equilibrium.

With energy E_f and entropy S_f of formation at fixed volume, F_f(T) = E_f - T S_f, in the classical limit exactly so:
mode by mode the vibrational energies of the defective and the perfect crystal are equal. In thermal equilibrium, and
as long as defects are few, a minimum is found on ``z exp(-F_f / k_B T)`` of the sites, z being the number of
configurations per site that the symmetry of the crystal turns it into. Where labels were computed at temperatures, the
free energy of quantum vibrations stands beside the classical one (`vibentropy.labels.labelling.temperature_columns`).
"""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from ase.units import kB
from numpy.typing import ArrayLike, NDArray

from vibentropy.errors import DataError

#: Columns of free energies with quantum vibrations, and their temperatures.
_QUANTUM = re.compile(r"formation_free_energy_(.+)K")


def formation_free_energy(energy: ArrayLike, entropy: ArrayLike, temperature: ArrayLike) -> NDArray[np.float64]:
    """Compute the free energy of formation, F_f = E_f - T S_f.

    Parameters
    ----------
    energy : array_like
        Energies of formation in eV.
    entropy : array_like
        Entropies of formation in k_B, compared mode by mode.
    temperature : array_like
        In K; the three are broadcast against each other.

    Returns
    -------
    ndarray
        In eV.
    """
    return np.asarray(energy) - kB * np.asarray(temperature) * np.asarray(entropy)


def concentration(free_energy: ArrayLike, multiplicity: ArrayLike, temperature: ArrayLike) -> NDArray[np.float64]:
    """Compute the number of defects per site in equilibrium, as long as they are few.

    Parameters
    ----------
    free_energy : array_like
        Of formation, in eV.
    multiplicity : array_like
        See `multiplicity`.
    temperature : array_like
        In K.

    Returns
    -------
    ndarray
    """
    return np.asarray(multiplicity) * np.exp(-np.asarray(free_energy) / (kB * np.asarray(temperature)))


def lowest_minima(table: pd.DataFrame) -> pd.DataFrame:
    """Select the minimum of lowest energy of formation of each class.

    Parameters
    ----------
    table : pandas.DataFrame
        Of labelled configurations (`vibentropy.datasets.store`).

    Returns
    -------
    pandas.DataFrame
        Rows of `table` with their index, in the order of their energies.

    Raises
    ------
    DataError
        If no minimum has an energy of formation.
    """
    minima = table[table["formation_energy"].notna()]
    if minima.empty:
        raise DataError(
            "no labelled minimum has an energy of formation: name the `energy_key` of the files, and give the "
            "reference its energy under the same key"
        )
    return minima.loc[minima.groupby("defect_class")["formation_energy"].idxmin()].sort_values("formation_energy")


def equilibrium(minima: pd.DataFrame, multiplicities: Sequence[float], temperatures: Sequence[float]) -> pd.DataFrame:
    """Compute free energies and equilibrium concentrations of minima.

    Parameters
    ----------
    minima : pandas.DataFrame
        With columns id, defect_class, formation_energy (eV) and formation_entropy (k_B), and possibly free energies of
        quantum vibrations.
    multiplicities : sequence of float
        One `multiplicity` per row.
    temperatures : sequence of float
        In K; those of the quantum free energies are added.

    Returns
    -------
    pandas.DataFrame
        One row per minimum and temperature, ascending: defect_class, id, multiplicity, formation_energy,
        formation_entropy, temperature, free_energy (eV, classical), quantum_free_energy (eV, NaN where it was not
        computed), concentration per site, and concentration_without_entropy, as it would be were S_f zero; both of
        classical vibrations.
    """
    quantum = quantum_free_energies_of_minima(minima)
    minima = minima[["defect_class", "id", "formation_energy", "formation_entropy"]]
    minima.insert(2, "multiplicity", np.asarray(multiplicities, dtype=float))
    all_temperatures = np.union1d(np.asarray(temperatures, dtype=float), quantum["temperature"])
    rows = minima.merge(pd.DataFrame({"temperature": all_temperatures}), how="cross")
    rows["free_energy"] = formation_free_energy(
        rows["formation_energy"], rows["formation_entropy"], rows["temperature"]
    )
    rows = rows.merge(quantum, how="left", on=["id", "temperature"])
    for name, energies in (("concentration", "free_energy"), ("concentration_without_entropy", "formation_energy")):
        rows[name] = concentration(rows[energies], rows["multiplicity"], rows["temperature"])
    return rows


def quantum_free_energies_of_minima(minima: pd.DataFrame) -> pd.DataFrame:
    """List the free energies of formation with quantum vibrations that labels of minima brought along.

    Parameters
    ----------
    minima : pandas.DataFrame
        Of labelled configurations.

    Returns
    -------
    pandas.DataFrame
        id, temperature (K) and quantum_free_energy (eV), one row for each that is known.
    """
    columns = {name: float(match[1]) for name in map(str, minima) if (match := _QUANTUM.fullmatch(name))}
    energies = minima.melt("id", list(columns), "temperature", "quantum_free_energy")
    energies["temperature"] = energies["temperature"].map(columns).astype(float)
    return energies.astype({"quantum_free_energy": float}).dropna()


def compensation(table: pd.DataFrame) -> pd.DataFrame:
    """Find the temperature at which lines of energy against entropy meet, by class: the slope dE_f/dS_f.

    Parameters
    ----------
    table : pandas.DataFrame
        Labelled minima with columns defect_class, formation_energy (eV) and formation_entropy (k_B).

    Returns
    -------
    pandas.DataFrame
        defect_class, minima, correlation of the two columns, and compensation_temperature (K), the slope of the energy
        by least squares; NaN for fewer than three minima.
    """
    rows = []
    for name, minima in table[table["formation_energy"].notna()].groupby("defect_class"):
        energy, entropy = minima["formation_energy"].to_numpy(), minima["formation_entropy"].to_numpy()
        slope = correlation = np.nan
        if len(minima) > 2 and np.ptp(entropy) > 0 and np.ptp(energy) > 0:
            slope = np.polyfit(entropy, energy, 1)[0] / kB
            correlation = np.corrcoef(entropy, energy)[0, 1]
        rows.append((name, len(minima), correlation, slope))
    return pd.DataFrame(rows, columns=["defect_class", "minima", "correlation", "compensation_temperature"])
