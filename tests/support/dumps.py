"""Text dumps as LAMMPS writes them."""


def write_dump(name, frames, types=False):
    """Write a text dump as LAMMPS does, with units before the first frame and the time before each.

    With types in place of elements all atoms are of one.
    """
    with open(name, "w") as file:
        file.write("ITEM: UNITS\nmetal\n")
        for step, atoms in enumerate(frames):
            file.write(f"ITEM: TIME\n{step}.5\nITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(atoms)}\n")
            file.write("ITEM: BOX BOUNDS pp pp pp\n" + "".join(f"0 {length}\n" for length in atoms.cell.lengths()))
            file.write(f"ITEM: ATOMS id {'type' if types else 'element'} x y z\n")
            symbols = [1] * len(atoms) if types else atoms.symbols
            for number, (symbol, position) in enumerate(zip(symbols, atoms.positions, strict=True), 1):
                file.write(f"{number} {symbol} {' '.join(f'{x:.6f}' for x in position)}\n")
