"""Reference trajectories from short NumPy transcriptions of papers, where every framework deviates from its paper."""


def cases():
    """Nothing yet."""
    return []
