"""How work is shared among processes and machines on the command line."""

from __future__ import annotations

WORKERS_HELP = "Processes on this machine that share the work."
CLIENT_HELP = (
    "Address of the scheduler of a cluster, as tcp://HOST:8786, or its scheduler file (.json), whose workers do the "
    "work (layerstats cluster ADDRESS describes them)."
)
SHARD_HELP = (
    "Only this part of the work, as 3/64: the third of 64, as a job of an array does. Parts count from 1; whichever "
    "job is last finishes the recording. With SLURM: --array=1-64 and --shard $SLURM_ARRAY_TASK_ID/64."
)
