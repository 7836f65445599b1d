"""Many tasks, one seam: here, on threads, in processes, or by the workers of a cluster; the results are the same.

A long computation says what one task is, as a function at the level of a module, and what the tasks are:

>>> run_tasks(abs, [-1, 2, -3])
[1, 2, 3]

Nothing is started but what `workers` asks for, and clusters belong to whoever hands in their client.
"""

from layerstats.parallel.cluster import check_client, connected
from layerstats.parallel.failures import TaskFailure, TaskFailures
from layerstats.parallel.run_options import Progress, RunOptions
from layerstats.parallel.tasks import run_tasks
from layerstats.parallel.workers import describe_workers

__all__ = [
    "Progress",
    "RunOptions",
    "TaskFailure",
    "TaskFailures",
    "check_client",
    "connected",
    "describe_workers",
    "run_tasks",
]
