"""Equations on a terminal: LaTeX in, readable text out."""

import re

WORDS = {
    **{name: name for name in "max min cos sin sign log ln exp sinh cosh tanh arg sup inf det Pr".split()},
    **dict(zip("alpha beta gamma delta epsilon eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega".split(),
               "αβγδεηθκλμνξπρστφχψω", strict=True)),
    **dict(zip("Gamma Delta Theta Lambda Pi Sigma Phi Psi Omega".split(), "ΓΔΘΛΠΣΦΨΩ", strict=True)),
    "varepsilon": "ε", "ell": "ℓ", "partial": "∂", "nabla": "∇", "infty": "∞", "sum": "Σ", "prod": "Π", "hbar": "ħ",
    "le": " ≤ ", "leq": " ≤ ", "ge": " ≥ ", "geq": " ≥ ", "ne": " ≠ ", "neq": " ≠ ", "in": " ∈ ", "to": " → ", "sim": " ~ ",
    "approx": " ≈ ", "leftarrow": " ← ", "gets": " ← ", "cdot": "·", "times": "×", "odot": "⊙", "pm": "±", "circ": "∘",
    "lVert": "‖", "rVert": "‖", "Vert": "‖", "lvert": "|", "rvert": "|", "mid": "|", "dots": "…", "ldots": "…", "cdots": "…",
    "top": "ᵀ", "prime": "′", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
    "quad": "\n", "qquad": "\n", "left": "", "right": "", "big": "", "Big": "", "bigl": "", "bigr": "", "Bigl": "", "Bigr": "",
    "displaystyle": "", "limits": "", "nolimits": "", "cap": "∩", "cup": "∪", "forall": "∀", "mathbb": "", "ge0": "≥0",
}  # fmt: skip
SIGNS = {",": " ", ";": " ", ":": " ", " ": " ", "!": "", "{": "{", "}": "}", "|": "‖", "_": "_", "%": "%", "&": "&"}
PLAIN_GROUPS = {"text", "mathrm", "operatorname", "mathit", "mathbf", "boldsymbol", "mathcal", "textstyle", "mathsf"}
ACCENTS = {
    "hat": "\u0302",
    "bar": "\u0304",
    "tilde": "\u0303",
    "dot": "\u0307",
    "vec": "\u20d7",
    "widehat": "\u0302",
}
BLANKS = {r"\,", r"\;", r"\:", r"\!", "\\ "}
AFTER_A_QUOTIENT = {"", *"}&)],.+-=<>|", *r"\\ \right \big \Big \quad \qquad \end \text \le \ge".split()}
"""What may follow a quotient without being taken for a part of its divisor."""
KNOWN = {*WORDS, *PLAIN_GROUPS, *ACCENTS, "overline", "frac", "tfrac", "dfrac", "sqrt", "begin", "end"}
FRACTIONS = {("1", "2"): "½", ("1", "3"): "⅓", ("2", "3"): "⅔", ("1", "4"): "¼", ("3", "4"): "¾"}
RAISED = str.maketrans("0123456789+-−()=nitkpTᵀ*", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾⁼ⁿⁱᵗᵏᵖᵀᵀ*")
LOWERED = str.maketrans("0123456789+-−()=aeijklmnoprstux", "₀₁₂₃₄₅₆₇₈₉₊₋₋₍₎₌ₐₑᵢⱼₖₗₘₙₒₚᵣₛₜᵤₓ")
GAP = "\0"  # between a value and its condition; other runs of blanks shrink to one
INDENT = "\1"  # before each case
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)


def readable(latex: str) -> str:
    """The equation in characters that a terminal has, cases one below the other.

    >>> readable(r"\\tfrac12 e^2 \\le \\beta_1 m_{t-1}")
    '½ e² ≤ β₁ mₜ₋₁'
    """
    text = Reader(latex).group("")
    lines = [
        re.sub(f" *{GAP} *", "   ", re.sub(" +", " ", line).replace(f"{INDENT} ", INDENT)).strip(" ") for line in text.split("\n")
    ]
    lines = [re.sub(r"‖ ?([^‖]*?) ?‖", r"‖\1‖", re.sub(r"(?<=\() +| +(?=\))", "", line)) for line in lines]
    return "\n".join(line.replace(INDENT, "  ") for line in lines if line.strip(INDENT))


def rows(latex: str) -> list[str]:
    """The equations that stand side by side in one, without the space between them.

    >>> rows(r"b = \\text{a \\quad gap},\\quad c = 1")
    ['b = \\\\text{a \\\\quad gap}', 'c = 1']
    """
    found, depth = [""], 0
    for token in TOKEN.findall(latex):
        depth += (token in {"{", "\\begin"}) - (token in {"}", "\\end"})
        if depth == 0 and token in {"\\quad", "\\qquad"}:
            found.append("")
        else:
            found[-1] += token
    return [" ".join(row.split()).rstrip(",") for row in found]


class Reader:
    """Reads an equation from left to right, one token at a time."""

    def __init__(self, latex: str) -> None:
        self.tokens = TOKEN.findall(latex)
        self.place = 0

    def next(self) -> str:
        """The next token; the empty one at the end."""
        token = self.tokens[self.place] if self.place < len(self.tokens) else ""
        self.place += 1
        return token

    def group(self, end: str) -> str:
        """Everything up to the token `end`."""
        out: list[str] = []
        while (token := self.next()) != end and token:
            text = self.one(token)
            before = "".join(out).rstrip()
            # A quotient stands whole behind a logarithm: log(a / b), not log a / b.
            out.append(f"({text})" if token == r"\frac" and before.rstrip("²").endswith("log") else text)
        return "".join(out)

    def follows(self) -> str:
        """The next token that is not a blank, left where it is."""
        rest = (token for token in self.tokens[self.place :] if not token.isspace() and token not in BLANKS)
        return next(rest, "")

    def argument(self) -> str:
        """What a command or a `^` applies to: a group in braces or a single token."""
        token = self.next()
        while token.isspace():
            token = self.next()
        return self.group("}").strip() if token == "{" else self.one(token)

    def one(self, token: str) -> str:
        """The text of one token and what belongs to it."""
        if token == "{":
            return self.group("}")
        if token == "^":
            return shifted(self.argument(), RAISED, "^")
        if token == "_":
            return shifted(self.argument(), LOWERED, "_")
        if token.isspace() or token == "~":
            return " "
        if token == "&":
            return GAP
        if token == "\\\\":
            return f"\n{INDENT}"
        return self.command(token[1:]) if token.startswith("\\") else token

    def command(self, name: str) -> str:
        """The text of a command and its arguments."""
        if name in {"frac", "tfrac", "dfrac"}:
            above, below = self.argument(), self.argument()
            quotient = FRACTIONS.get((above, below)) or f"{wrapped(above)} / {wrapped(below)}"
            return quotient if " / " not in quotient or self.follows() in AFTER_A_QUOTIENT else f"({quotient})"
        if name == "sqrt":
            return f"√{wrapped(self.argument())}"
        if name == "overline":
            return f"mean({self.argument()})"
        if name in PLAIN_GROUPS:
            text, following = self.argument(), self.follows().removeprefix("\\")
            return f"{text} " if name == "operatorname" and WORDS.get(following, following).isalpha() else text
        if name in ACCENTS:
            return self.argument() + ACCENTS[name]
        if name == "begin":
            kind = self.argument()
            return f"\n{INDENT}" if kind.startswith("cases") else ""
        if name == "end":
            self.argument()
            return ""
        return SIGNS.get(name, WORDS.get(name, name))


def shifted(text: str, table: dict[int, int], mark: str) -> str:
    """Text raised or lowered if there are characters for all of it, else marked with `^` or `_`."""
    if text and all(ord(c) in table for c in text):
        return text.translate(table)
    return f"{mark}{text}" if len(text) <= 1 else f"{mark}({text})"


def wrapped(text: str) -> str:
    """Text in parentheses if it would otherwise run into its neighbours."""
    alone = re.fullmatch(r"[\w.′ᵀₐ-ₜ₀-₉⁰-⁹²³\u0300-\u0307]+|\([^()]*\)|‖[^‖]*‖", text)
    return text if alone else f"({text})"
