# metrics.awk <text: is it the exposition format of Prometheus, version 0.0.4?
#
# Stricter than the format: a family has its HELP and TYPE, in this order, and
# stands together; a sample has at most one label and no time; counters end in
# _total; histograms are whole, ascending and cumulative. Prints what is wrong;
# the exit status is 1 if anything is.

function wrong(what) {
  print FILENAME NR ": " what ": " $0
  bad = 1
}

function family_ends() {
  if (type == "histogram" && (!inf || sum == "" || count != bucket))
    wrong("the histogram before is not whole")
  else if (name != "" && !samples)
    wrong("the family before has no sample")
}

# A family begins.
/^# HELP / {
  family_ends()
  if ($0 !~ /^# HELP [a-zA-Z_:][a-zA-Z0-9_:]* ([^\\]|\\\\|\\n)+$/)
    wrong("HELP")
  name = $3
  if (name in seen)
    wrong("a family twice")
  seen[name] = 1
  type = ""
  samples = inf = bucket = 0
  le = -1
  sum = count = ""
  next
}

/^# TYPE / {
  if ($3 != name || type != "" || NF != 4)
    wrong("TYPE without its HELP")
  type = $4
  if (type !~ /^(counter|gauge|histogram)$/)
    wrong("TYPE")
  if ((type == "counter") != (name ~ /_total$/))
    wrong("a counter is a total")
  next
}

# NAME[{LABEL="VALUE"}] NUMBER
{
  if ($0 !~ /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_][a-zA-Z0-9_]*="([^\\"]|\\\\|\\"|\\n)*"\})? [0-9]+(\.[0-9]+)?$/) {
    wrong("neither a comment nor a sample")
    next
  }
  id = $0
  sub(/ [^ ]*$/, "", id)
  if (id in seen_sample)
    wrong("a sample twice")
  seen_sample[id] = 1
  samples++
  sample = id
  sub(/\{.*/, "", sample)
  value = $NF
}

type == "histogram" && sample == name "_bucket" {
  bound = id
  sub(/.*\{le="/, "", bound)
  sub(/"\}$/, "", bound)
  if (inf || (bound != "+Inf" && bound + 0 <= le + 0))
    wrong("bounds do not ascend")
  if (value + 0 < bucket + 0)
    wrong("buckets do not add up")
  le = bound
  inf = bound == "+Inf"
  bucket = value
  next
}

type == "histogram" && sample == name "_sum" {
  sum = value
  next
}

type == "histogram" && sample == name "_count" {
  count = value
  next
}

type == "" || type == "histogram" || sample != name {
  wrong("a sample of another family")
}

END {
  family_ends()
  if (NR == 0)
    wrong("nothing")
  exit bad
}
