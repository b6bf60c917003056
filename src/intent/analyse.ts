/** `analyse(request, parsers) -> Analysis`: pure, total, bounded. One exhaustive switch over command languages. */
export {}
