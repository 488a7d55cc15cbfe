"""cvc5 as an executable, made of the Python package `cvc5` (PyPI): for tests on machines without the real one.

Reads SMT-LIB commands from the standard input, one after another, and answers each on the standard output at once, as
`cvc5 --lang smt` does. Knows the arguments that cogov passes: `--version`, `--lang smt`, `--tlimit=MILLISECONDS`.
`cargo xtask test solver` sets CVC5 to a launcher of this file.
"""

import os
import sys
import threading

import cvc5

TIME_LIMIT = "--tlimit="


def version():
    said = cvc5.Solver(cvc5.TermManager()).getVersion()
    return said.decode() if isinstance(said, bytes) else said


def commands(stream):
    """The texts of whole commands, as soon as their last parenthesis was read."""
    text, depth, quote = [], 0, None
    while line := stream.readline():
        comment = False
        for character in line:
            if comment:
                continue
            if quote:
                quote = None if character == quote else quote
            elif character in '"|':
                quote = character
            elif character == ";":
                comment = True
                continue
            elif character == "(":
                depth += 1
            elif character == ")":
                depth -= 1
            text.append(character)
            if depth == 0 and character == ")" and not quote:
                yield "".join(text).strip()
                text = []


class Session:
    def __init__(self):
        # Kept: what belongs to them must not outlive them.
        self.terms = cvc5.TermManager()
        self.solver = cvc5.Solver(self.terms)
        self.symbols = cvc5.SymbolManager(self.terms)
        self.parser = cvc5.InputParser(self.solver, self.symbols)
        self.parser.setIncrementalStringInput(cvc5.InputLanguage.SMT_LIB_2_6, "stdin")

    def say(self, text):
        # One whole command: asked for another, the parser takes its input to be at an end.
        self.parser.appendIncrementalStringInput(text + "\n")
        command = self.parser.nextCommand()
        return "" if command.isNull() else str(command.invoke(self.solver, self.symbols))


def main(arguments):
    if "--version" in arguments:
        print(f"This is cvc5 version {version()} [the Python package]")
        return
    for argument in arguments:
        if argument.startswith(TIME_LIMIT):
            # A thread of its own: the solver does not look at signals while it works.
            timer = threading.Timer(int(argument[len(TIME_LIMIT):]) / 1000, lambda: os._exit(1))
            timer.daemon = True
            timer.start()
    session = Session()
    for text in commands(sys.stdin):
        if text == "(exit)":
            return
        if text == "(reset)":
            session = Session()
            continue
        try:
            answer = session.say(text)
        except Exception as error:  # the solver's own errors have no class in common
            words = str(error).replace('"', "'").replace("\n", " ")
            answer = f'(error "{words}")\n'
        if answer:
            sys.stdout.write(answer if answer.endswith("\n") else answer + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
