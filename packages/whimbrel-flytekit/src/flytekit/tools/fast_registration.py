"""``flytekit.tools.fast_registration``: the code of a project as an archive."""

from flytekit._adapt import missing
from flytekit._remote.archives import FastPackageOptions as FastPackageOptions
from flytekit._remote.archives import compute_digest as compute_digest
from flytekit._remote.archives import fast_package as fast_package
from flytekit._remote.archives import get_additional_distribution_loc as get_additional_distribution_loc
from flytekit._remote.archives import print_ls_tree as print_ls_tree

__all__ = [
    "FastPackageOptions",
    "compute_digest",
    "fast_package",
    "get_additional_distribution_loc",
    "print_ls_tree",
]

__getattr__ = missing(__name__)
