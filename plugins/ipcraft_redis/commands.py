"""The command ``ipcraft worker``."""

from __future__ import annotations

import click

from ipcraft.plugin import Application, StartError, pass_application


@click.command("worker")
@click.option("--burst", is_flag=True, help="End when no job waits any more.")
@pass_application
def worker(app: Application, *, burst: bool) -> None:
    """Run the jobs, and take the events to where they go: all that is done beside requests.

    Start as many as you need, on any machine, with the settings of the servers.
    """
    if app.job_queue.name != "redis":
        raise StartError(
            "jobs are not queued in Redis but run in the server's own processes: "
            "set IPCRAFT_REDIS_URL for the server and for this worker"
        )
    # Imported here: RQ takes 230 ms, which other commands should not wait for.
    from ipcraft_redis.worker import work

    if app.settings.metrics_folder:
        # A server that shares the folder shows what is counted here.
        app.measure()
    app.schedules.begin()
    work(app, burst=burst)
