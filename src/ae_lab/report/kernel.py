"""The one kernel a report runs on: this interpreter's own."""

from weakref import WeakSet

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

# TensorFlow's C++ log carries times and process ids: it belongs in the log file, not on a page.
KERNEL_ARGUMENTS = ["--IPKernelApp.capture_fd_output=False"]


_managers: WeakSet = WeakSet()


class OwnKernelManager(AsyncKernelManager):
    """Starts ``sys.executable``'s ipykernel, whatever other kernels are installed."""

    def __init__(self, **options):
        super().__init__(**options)
        _managers.add(self)

    @default("kernel_spec_manager")
    def _own_kernel_only(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)


def stop_kernels() -> None:
    """Kill the kernels that still run; whoever waits for one of them sees it dead."""
    for manager in list(_managers):
        process = getattr(manager.provisioner, "process", None)
        if process:
            process.kill()
