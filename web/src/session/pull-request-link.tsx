/** A pull request by its number, on its own page. */
export function PullRequestLink({ url, number }: { url: string; number: number }) {
  const name = `Pull request #${number}`;
  // GitHub's answer has named the address: only one that a browser fetches becomes a link.
  return /^https?:\/\//i.test(url) ? (
    <a href={url} target="_blank" rel="noreferrer">
      {name}
    </a>
  ) : (
    <span>{name}</span>
  );
}
