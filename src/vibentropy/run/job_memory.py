"""Memory within jobs that label: what they ask for, less what is not for factors.

Jobs import this, not what estimates for whole runs need.
"""

#: Memory (MB) of a job that labels, besides what grows with its cells.
LABELS_START = 1000


def spare_in_job(mem_mb: int) -> int:
    """Memory that factors may take in a job that labels.

    Parameters
    ----------
    mem_mb : int
        What the job has, as from `vibentropy.run.memory.labels_memory`, MB.

    Returns
    -------
    int, bytes
    """
    return max(mem_mb - LABELS_START, 0) * 10**6
