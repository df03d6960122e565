"""From a table to a ranking, a recommendation, a report and a model: plan, run, score, rank, advise."""
