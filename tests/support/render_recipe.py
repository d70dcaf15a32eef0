"""Render a recipe for conda as `rattler-build` does before it asks any channel: `render_recipe.py recipe.yaml`.

In an environment of its own, which `.ci/run wheel` makes. A key that rattler-build does not know, or a requirement that
it cannot read, ends it.
"""

import sys

from rattler_build import Stage0Recipe, VariantConfig

for variant in Stage0Recipe.from_file(sys.argv[1]).render(VariantConfig()):
    print(variant.recipe.package, "requires", ", ".join(map(str, variant.recipe.requirements.run)))
