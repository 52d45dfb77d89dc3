/** Trailer with the JSON details of a refusal that travels as a status. */
export const detailsTrailer = "macp-error-details-bin";
