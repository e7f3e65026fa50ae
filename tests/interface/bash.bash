# Writes what bash would complete at the end of each line of the file $QUERIES, below that line and a "? ".
#
# The script of the tool, whose name is $TOOL, stands in the working directory. Where it leaves paths to readline, a line
# says of which kind: what readline does with that shows on a terminal only.

# shellcheck source=/dev/null
source "./$TOOL"
compopt() { printf '@%s\n' "$2"; }

while IFS= read -r query; do
    printf '? %s\n' "$query"
    # As readline divides a line: equals signs are words.
    read -ra COMP_WORDS <<<"${query//=/ = }"
    [[ $query == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    "_${TOOL//-/_}"
    printf '%s\n' "${COMPREPLY[@]}"
done <"$QUERIES"
