"""The Python side of python_test.cpp.   python_interop.py CASES ANSWERS

CASES holds, for each case, an expression of Python's and the pickle that C++ made of the same
value, each with its length in 4 bytes before it. Each pickle must be that value. ANSWERS gets, for
each case, the value's repr and its pickles of all protocols that this Python writes.
"""
import collections
import datetime
import pickle
import queue
import struct
import sys


def read_all(file):
    while length := file.read(4):
        yield file.read(*struct.unpack(">I", length))


def write(file, data):
    file.write(struct.pack(">I", len(data)) + data)


def same(left, right):
    if isinstance(left, BaseException):
        causes = left.__cause__ is None and right.__cause__ is None
        return repr(left) == repr(right) and (causes or same(left.__cause__, right.__cause__))
    return left == right and type(left) is type(right) and repr(left) == repr(right)


def raised(exception, cause):
    exception.__cause__ = cause
    return exception


shared = ["shared"]
wrong = 0
with open(sys.argv[1], "rb") as cases, open(sys.argv[2], "wb") as answers:
    parts = read_all(cases)
    for expression in parts:
        value = eval(expression)
        pickled = next(parts)
        try:
            # Nothing was written by C++ for values that it only reads.
            if pickled and not same(pickle.loads(pickled), value):
                print(f"{expression.decode()}: came as {pickle.loads(pickled)!r}")
                wrong += 1
        except Exception as error:
            print(f"{expression.decode()}: {error!r}")
            wrong += 1
        write(answers, repr(value).encode("utf-8", "surrogatepass"))
        for protocol in range(6):
            write(answers, pickle.dumps(value, protocol))
sys.exit(wrong != 0)
