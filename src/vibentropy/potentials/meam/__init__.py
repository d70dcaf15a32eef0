"""Modified embedded atoms (MEAM) of one element, with an exact Hessian."""
