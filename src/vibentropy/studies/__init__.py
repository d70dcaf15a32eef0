"""Questions asked of data and models: learning curves, extensivity, maps, thermodynamics, cost."""
