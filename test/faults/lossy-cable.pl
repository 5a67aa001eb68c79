# A cable between two TUN devices that delays packets and loses some of them, for kernels without netem:
#   perl lossy-cable.pl <device> <device> <delay in ms, each way> <lost packets in percent>
# Packets keep their order. The devices are gone with this process.
use strict;
use warnings;
use Fcntl;
use Time::HiRes qw(time);

my ($near, $far, $delay, $loss) = @ARGV;
my ($TUNSETIFF, $TUN_WITHOUT_HEADER) = (0x400454ca, 0x1001);

sub device {
  my ($name) = @_;
  sysopen(my $tun, '/dev/net/tun', O_RDWR | O_NONBLOCK) or die "/dev/net/tun: $!";
  ioctl($tun, $TUNSETIFF, pack('a16 s x22', $name, $TUN_WITHOUT_HEADER)) or die "$name: $!";
  return $tun;
}

my @ends = (device($near), device($far));
$| = 1;
print "ready\n";

my @waiting;
while (1) {
  my $readable = '';
  vec($readable, fileno($_), 1) = 1 for @ends;
  my $left = @waiting ? $waiting[0][0] - time : undef;
  select($readable, undef, undef, defined $left && $left < 0 ? 0 : $left);
  for my $i (0, 1) {
    while (sysread($ends[$i], my $packet, 65_536)) {
      push @waiting, [time + $delay / 1000, $ends[1 - $i], $packet] if rand(100) >= $loss;
    }
  }
  while (@waiting && $waiting[0][0] <= time) {
    my (undef, $to, $packet) = @{shift @waiting};
    syswrite($to, $packet);
  }
}
