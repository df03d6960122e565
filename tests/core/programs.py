"""Programs of arithmetic drawn by chance."""

MAKES = (
    lambda one, two, three: one + two,
    lambda one, two, three: one - two,
    lambda one, two, three: one * two * 0.5,
    lambda one, two, three: (one > two) * three,
    lambda one, two, three: abs(one) + three * 0.25,
    lambda one, two, three: one * two + three * 0.5,
)


def drawn(random, makes, longest):
    """A function from four arrays of one shape to four: some of them and of what `makes` have made of three, step by step."""
    steps = [(random.integers(len(makes)), *random.integers(0, 4 + step, 3)) for step in range(random.integers(2, longest))]
    results = random.integers(0, 4 + len(steps), 4)

    def change(held):
        values = list(held)
        for kind, *places in steps:
            values.append(makes[kind](*(values[place] for place in places)))
        return [values[number] for number in results]

    return change
