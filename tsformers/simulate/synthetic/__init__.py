"""Parts of the synthetic series of ``tsformers.simulate.priors``; importing a part loads numba."""
