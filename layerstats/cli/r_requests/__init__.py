"""What the R package asks of Python: fits of the structured engine and what is inferred from them.

``python -m layerstats.cli.r_requests FOLDER`` answers as long as its standard input is open: for each line, the number
of a request, it reads what the R package wrote to the folder and writes the reply beside it. No help names it: the R
package starts it, nobody types it.
"""
