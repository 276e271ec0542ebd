"""Branch previews: a stable address for each branch."""

from deployments.previews.push import PushedPreview, push_preview
from deployments.previews.remove import expire_previews, remove_preview

__all__ = ["PushedPreview", "expire_previews", "push_preview", "remove_preview"]
