"""What a fit is asked for: tables, columns of new data, the glance of a binomial model."""
