# code.awk: C source without comments and without the insides of strings, line by line, as
# "FILE:LINE: code". The checkers read this, so that prose never looks like a call.
FNR == 1 { comment = 0 }
{
    line = $0
    kept = ""
    quote = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (comment) {
            if (two == "*/") { comment = 0; i++ }
        } else if (quote != "") {
            if (c == "\\") i++
            else if (c == quote) { quote = ""; kept = kept c }
        } else if (two == "/*") { comment = 1; i++ }
        else if (two == "//") break
        else {
            # the name in #include "..." is code
            if ((c == "\"" || c == "'") && line !~ /^[ \t]*#[ \t]*include/) quote = c
            kept = kept c
        }
    }
    if (kept ~ /[^ \t]/) print FILENAME ":" FNR ": " kept
}
