"""What is inferred from a minimum of the criterion: degrees of freedom, covariances, tests, tables, predictions."""
