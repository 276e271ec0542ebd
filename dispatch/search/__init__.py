"""Finding jobs and customers by text.

`text` makes the text that a row is found by, `query` reads what was typed, `fields` keeps the one
and compares it with the other, `index` is what makes that fast, `words` knows the words that occur,
and `finding` puts them together.
"""
