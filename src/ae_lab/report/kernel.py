"""The one kernel a report runs on: this interpreter's own."""

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

# TensorFlow's C++ log carries times and process ids: it belongs in the log file, not on a page.
KERNEL_ARGUMENTS = ["--IPKernelApp.capture_fd_output=False"]


class OwnKernelManager(AsyncKernelManager):
    """Starts ``sys.executable``'s ipykernel, whatever other kernels are installed."""

    @default("kernel_spec_manager")
    def _own_kernel_only(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)
