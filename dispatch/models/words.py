"""The vocabulary of the search."""

from django.db import models

from dispatch.search.fields import SearchTextField


class Word(models.Model):
    """A word of streets, towns and names, with a space before and after it.

    See dispatch.search.words.
    """

    search_text = SearchTextField(unique=True)

    def __str__(self) -> str:
        return str(self.search_text).strip()
