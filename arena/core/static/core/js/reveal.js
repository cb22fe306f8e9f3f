// What the page does after the vote.
