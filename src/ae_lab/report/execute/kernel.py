"""The kernel of a report: the ipykernel of the current Python interpreter."""

import sys
from pathlib import Path
from weakref import WeakSet

import zmq
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

KERNEL_ARGUMENTS = ["--IPKernelApp.outstream_class=ae_lab.report.execute.streams.WholeStream"]


_managers: WeakSet = WeakSet()


class OwnKernelManager(AsyncKernelManager):
    """Starts the ipykernel of ``sys.executable``, whatever other kernels are installed."""

    def __init__(self, **options):
        super().__init__(**options)
        _managers.add(self)

    @default("kernel_spec_manager")
    def _own_kernel_only(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)

    def client(self, **options):
        """A client that drops no messages, however many are waiting."""
        client = super().client(**options)
        client.context.setsockopt(zmq.RCVHWM, 0)
        return client


def connection_options(connection: Path) -> dict[str, str]:
    """Options of a manager whose kernel and client find each other by a connection file.

    A TCP port that was free when the manager chose it may be in use when the kernel binds it. The
    kernel then ends or receives nothing. On Linux, abstract socket names avoid this: they are
    unique and disappear with the kernel. Other systems use a port. Every user of the machine can
    connect to either, so messages are encrypted, with keys that are only in the connection file.
    """
    options = {"connection_file": str(connection), "transport_encryption": "required"}
    if sys.platform == "linux":
        name = connection.stem[-80:]  # the system allows about 100 characters
        options |= {"transport": "ipc", "ip": f"@ae_lab-{name}"}
    return options


def stop_kernels() -> None:
    """Kill all running kernels; code that waits for one gets a DeadKernelError."""
    for manager in list(_managers):
        process = getattr(manager.provisioner, "process", None)
        if process:
            process.kill()
