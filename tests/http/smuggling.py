"""What two servers in a row might read as different requests (A46): the rest of a POST, after its first headers."""

SMUGGLING = {
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "the same length twice": b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    "a list of lengths": b"Content-Length: 4, 4\r\n\r\nabcd",
    "a signed length": b"Content-Length: +4\r\n\r\nabcd",
    "a negative length": b"Content-Length: -4\r\n\r\nabcd",
    "xchunked": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a list of encodings": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a folded header": b"X-A: 1\r\n b\r\nContent-Length: 0\r\n\r\n",
    "bare line feeds": b"X-A: 1\nContent-Length: 0\n\n",
    "a space before the colon": b"Content-Length : 4\r\n\r\nabcd",
    "a junk chunk size": b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "a NUL in a header": b"X-A: a\0b\r\nContent-Length: 0\r\n\r\n",
}
